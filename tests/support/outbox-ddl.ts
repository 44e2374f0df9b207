/** As drizzle-kit generates it from `outboxTable`. */
export const outboxDdl = `
  create table "twinwire_outbox" (
    "id" bigint primary key generated always as identity,
    "stream" text not null,
    "publication" text not null,
    "created_at" timestamp with time zone default clock_timestamp() not null
  );
`
