import { type AnyEvent, defineTopics, type EventData, type Publisher, topic } from '@twinwire/core'
import { requireTenant, type WithTenant } from './steps.ts'

/** `tenant:acme:notes` */
export function tenantTopic(tenant: string, name: string): string {
  return `tenant:${tenant}:${name}`
}

/** Sends an event to the clients of the call's tenant that have subscribed to `tenant:<tenant>:<name>`. */
export function publishToTenant<E extends AnyEvent>(
  call: Pick<Publisher, 'publish'> & WithTenant,
  name: string,
  event: E,
  data: EventData<E>,
): void {
  call.publish(tenantTopic(call.tenant, name), event, data)
}

/** Only the clients of a tenant may join its topics. */
export const tenantTopics = defineTopics({
  'tenant:{tenant}:{name}': topic({
    use: [requireTenant()],
    subscribe: true,
    authorize: ({ tenant, params }) => tenant === params.tenant,
  }),
})
