/** As drizzle-kit generates it from `auditTable`. */
export const auditDdl = `
  create table "user_actions" (
    "id" uuid primary key not null,
    "timestamp" timestamp with time zone not null,
    "user_id" text,
    "username" text,
    "user_roles" jsonb not null,
    "action_type" text not null,
    "resource" text not null,
    "outcome" text not null,
    "ip_address" text,
    "user_agent" text,
    "request_id" text not null,
    "request_data" jsonb,
    "response_status" integer,
    "error_message" text,
    "duration_ms" double precision not null
  );
`
