CREATE TABLE "items" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" varchar(80) NOT NULL,
	"amount" integer NOT NULL,
	"bought" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "items_open_name" ON "items" USING btree ("name") WHERE not "items"."bought";