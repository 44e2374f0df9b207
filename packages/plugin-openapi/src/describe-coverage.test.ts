import type { AppDescription, RouteDescription } from '@twinwire/core'
import type { StepDescription } from '@twinwire/core/plugin'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseJson, startEverything } from './everything.fixtures.ts'
import { isRecord, type Json, toList, toNode } from './schemas/node.ts'

let openApi: Json
let asyncApi: Json
let description: AppDescription
let close = async (): Promise<void> => {}

beforeAll(async () => {
  const test = await startEverything()
  close = () => test.close()
  description = test.app.describe()
  openApi = parseJson((await test.request('GET /openapi.json')).text)
  asyncApi = parseJson((await test.request('GET /asyncapi.json')).text)
})
afterAll(() => close())

/** Where each field of a route is: a field that is added to `describe()` is missing here, which does not compile and fails below. */
const ofRoute: { readonly [Field in keyof RouteDescription]-?: (operation: Json, route: RouteDescription) => boolean } =
  {
    name: (operation, { name }) => operation['x-route'] === name,
    pkgId: (operation, { pkgId }) => operation['x-pkg-id'] === pkgId,
    http: (operation, { http }) => operation['x-http'] === http,
    access: (operation, { access }) => operation['x-access'] === access,
    reply: (operation, { reply }) => operation['x-reply'] === reply,
    steps: (operation, { steps }) =>
      isEqual(
        operation['x-steps'],
        steps.map(({ kind, name, demands }) => ({ kind, name, demands })),
      ),
    errors: (operation, { errors }) => isEqual(operation['x-errors'], errors),
    summary: (operation, { summary }) => (operation['summary'] ?? '') === summary,
    deprecated: (operation, { deprecated }) =>
      (operation['deprecated'] ?? operation['x-deprecated'] ?? false) === deprecated,
    deadlineMs: (operation, { deadlineMs }) => operation['x-deadline-ms'] === deadlineMs,
    ordered: (operation, { ordered }) => operation['x-ordered'] === ordered,
    once: (operation, { once }) =>
      isEqual(
        operation['x-once'],
        once === null ? undefined : { retention_ms: once.retentionMs, required: once.required },
      ),
  }
const ofStep: { readonly [Field in keyof StepDescription]-?: (operation: Json, step: StepDescription) => boolean } = {
  kind: (operation, { kind }) => JSON.stringify(operation['x-steps']).includes(`"kind":"${kind}"`),
  name: (operation, { name }) => JSON.stringify(operation['x-steps']).includes(JSON.stringify(name)),
  demands: (operation, { demands }) => JSON.stringify(operation['x-steps']).includes(JSON.stringify(demands)),
  limits: (operation, { limits }) =>
    limits.every((limit) => toList(operation['x-rate-limit']).some((each) => isEqual(each, limit))),
}
const ofEvent: { readonly [Field in keyof AppDescription['events'][number]]-?: string } = {
  name: 'x-event',
  pkgId: 'x-pkg-id',
  summary: 'summary',
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function httpOperations(): readonly Json[] {
  return Object.values(toNode(openApi['paths'])).flatMap((item) => {
    const { 'x-additional-operations': others, ...methods } = toNode(item)
    return [...Object.values(methods), ...Object.values(toNode(others))].filter(isRecord)
  })
}

function packageOperations(): readonly Json[] {
  return Object.values(toNode(asyncApi['operations'])).filter(isRecord)
}

describe('all of app.describe()', () => {
  it('has no field that the documents do not have', () => {
    const { routes, events, toString: _text, ...others } = description
    expect(Object.keys(others)).toEqual([])
    for (const route of routes) {
      expect(Object.keys(route).toSorted()).toEqual(Object.keys(ofRoute).toSorted())
      for (const step of route.steps) expect(Object.keys(step).toSorted()).toEqual(Object.keys(ofStep).toSorted())
    }
    for (const event of events) expect(Object.keys(event).toSorted()).toEqual(Object.keys(ofEvent).toSorted())
  })

  it('is in an operation of every wire of a route', () => {
    for (const route of description.routes) {
      const operations = [
        ...(route.http === null ? [] : [httpOperations().find((each) => each['x-route'] === route.name)]),
        ...(route.pkgId === null ? [] : [packageOperations().find((each) => each['x-route'] === route.name)]),
      ]
      expect(operations.length).toBeGreaterThan(0)
      for (const operation of operations) {
        const wrong = Object.entries(ofRoute).filter(
          ([, isThere]) => operation === undefined || !isThere(operation, route),
        )
        expect([route.name, wrong.map(([field]) => field)]).toEqual([route.name, []])
        const wrongSteps = route.steps.flatMap((step) =>
          Object.entries(ofStep).filter(([, isThere]) => operation === undefined || !isThere(operation, step)),
        )
        expect([route.name, wrongSteps.map(([field]) => field)]).toEqual([route.name, []])
      }
    }
  })

  it('is in an operation for every event', () => {
    expect(description.events).toHaveLength(2)
    for (const event of description.events) {
      const operation = packageOperations().find((each) => each['x-event'] === event.name)
      expect(operation?.['x-pkg-id']).toBe(event.pkgId)
      expect(operation?.['summary'] ?? '').toBe(event.summary)
      expect(operation?.['action']).toBe('send')
    }
  })

  it('has each error with its status on both wires', () => {
    const pay = httpOperations().find((each) => each['x-route'] === 'PAY')
    const refused = toNode(toNode(openApi['components'])['responses'])
    const statuses = toNode(pay?.['responses'])
    const declined = JSON.stringify(refused[String(toNode(statuses['402'])['$ref']).split('/').at(-1) ?? ''])
    expect(declined).toContain('{"code":"billing.card_declined","status_code":1,"http_status":402')
    const messages = toNode(toNode(asyncApi['components'])['messages'])
    expect(JSON.stringify(messages['PayError2'])).toContain('"code":"billing.busy","status_code":2,"http_status":409')
    expect(JSON.stringify(messages['ListError1'])).toContain('app.sleeping')
    expect(JSON.stringify(messages['ListError1'])).not.toContain('billing')
  })
})
