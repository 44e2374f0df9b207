// What a node that is killed, and the test that watches it, agree on.
import { redisBroker } from '@twinwire/broker-redis'
import { event, topic } from '@twinwire/core'
import type { Broker } from '@twinwire/core/transport'
import * as v from 'valibot'

export const chaosPkgIds = { MARK: 1, MARKED: 100 } as const
export const Mark = v.object({ id: v.number(), name: v.string(), node: v.string() })
export type Mark = v.InferOutput<typeof Mark>
export const MarkInput = v.object({ name: v.string(), topic: v.string() })
export const marked = event({ data: Mark })
export const chaosTopics = { 'marks:*': topic({ subscribe: true, authorize: () => true }) }

export function chaosBroker(url: string, prefix: string): Broker {
  return redisBroker({ url, prefix, history: { size: 100_000, ttlMs: 3_600_000 } })
}

/**
 * `place` is the order of the commits of a topic: the trigger runs in COMMIT, after the last statement of the transaction. It takes its time, so that
 * others could overtake.
 */
export const chaosDdl = `
  create table twinwire_once (key text primary key, fingerprint text not null, reply text, expires_at timestamptz not null);
  create index twinwire_once_expires_at on twinwire_once (expires_at);
  create table twinwire_outbox (
    id bigint primary key generated always as identity,
    stream text not null,
    publication text not null,
    created_at timestamptz not null default clock_timestamp()
  );
  create table marks (id serial primary key, name text not null, node text not null, topic text not null, place bigint);
  create sequence places;
  create function place_mark() returns trigger language plpgsql as $$
    begin perform pg_sleep(random() * 0.02); update marks set place = nextval('places') where id = new.id; return null; end $$;
  create constraint trigger place after insert on marks deferrable initially deferred
    for each row execute function place_mark();
`
