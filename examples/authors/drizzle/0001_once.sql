CREATE TABLE "twinwire_once" (
	"key" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"reply" text,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "twinwire_once_expires_at" ON "twinwire_once" USING btree ("expires_at");