CREATE TABLE "authors" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" varchar(255) NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "authors_name_unique" ON "authors" USING btree ("name");