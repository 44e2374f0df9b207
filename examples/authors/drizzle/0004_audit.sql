CREATE TABLE "user_actions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"timestamp" timestamp with time zone NOT NULL,
	"user_id" text,
	"username" text,
	"user_roles" jsonb NOT NULL,
	"action_type" text NOT NULL,
	"resource" text NOT NULL,
	"outcome" text NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"request_id" text NOT NULL,
	"request_data" jsonb,
	"response_status" integer,
	"error_message" text,
	"duration_ms" double precision NOT NULL
);
--> statement-breakpoint
CREATE INDEX "user_actions_timestamp" ON "user_actions" USING btree ("timestamp","id");--> statement-breakpoint
CREATE INDEX "user_actions_user_id" ON "user_actions" USING btree ("user_id","timestamp","id");--> statement-breakpoint
CREATE INDEX "user_actions_action_type" ON "user_actions" USING btree ("action_type","timestamp","id");--> statement-breakpoint
CREATE INDEX "user_actions_outcome" ON "user_actions" USING btree ("outcome","timestamp","id");--> statement-breakpoint
CREATE INDEX "user_actions_username" ON "user_actions" USING gin ("username" gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "user_actions_resource" ON "user_actions" USING gin ("resource" gin_trgm_ops);