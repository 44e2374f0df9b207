import type { EventInfo, Model, Operation, TopicInfo } from '../model/model.ts'

/** What the middle of the page is about. */
export type Place =
  | { readonly kind: 'about' }
  | { readonly kind: 'connection' }
  | { readonly kind: 'event'; readonly event: EventInfo }
  | { readonly kind: 'operation'; readonly operation: Operation }
  | { readonly kind: 'topic'; readonly topic: TopicInfo }

/** Its address: `#route/GET_AUTHORS`. */
export function hashOf(place: Place): string {
  switch (place.kind) {
    case 'operation':
      return `#route/${encodeURIComponent(place.operation.name)}`
    case 'event':
      return `#event/${encodeURIComponent(place.event.name)}`
    case 'topic':
      return `#topic/${encodeURIComponent(place.topic.pattern)}`
    default:
      return `#${place.kind}`
  }
}

export function nameOf(place: Place): string {
  switch (place.kind) {
    case 'operation':
      return place.operation.name
    case 'event':
      return place.event.name
    case 'topic':
      return place.topic.pattern
    case 'connection':
      return 'Connection'
    default:
      return 'About'
  }
}

export interface Group {
  readonly title: string
  readonly places: readonly Place[]
}

/** Everything that there is, in the order of the list. */
export function groupsOf({ operations, events, topics, address }: Model): readonly Group[] {
  const isPackage = ({ pkgId }: Operation): boolean => pkgId !== null
  const toPlace = (operation: Operation): Place => ({ kind: 'operation', operation })
  const about: readonly Place[] = [{ kind: 'about' }, ...(address === null ? [] : [{ kind: 'connection' } as const])]
  const groups: readonly Group[] = [
    { title: 'Packages', places: operations.filter(isPackage).map(toPlace) },
    { title: 'Events', places: events.map((event) => ({ kind: 'event', event })) },
    { title: 'Topics', places: topics.map((topic) => ({ kind: 'topic', topic })) },
    { title: 'Requests', places: operations.filter((each) => !isPackage(each)).map(toPlace) },
    { title: 'The API', places: about },
  ]
  return groups.filter(({ places }) => places.length > 0)
}

/** The place that a hash names; null for none. */
export function findPlace(groups: readonly Group[], hash: string): Place | null {
  return groups.flatMap(({ places }) => places).find((place) => hashOf(place) === hash) ?? null
}
