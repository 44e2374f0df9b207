CREATE TABLE "notes" (
	"id" serial PRIMARY KEY NOT NULL,
	"text" varchar(255) NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "notes_text_unique" ON "notes" USING btree ("text");