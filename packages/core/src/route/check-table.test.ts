import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { event } from '../call/event.ts'
import { defineErrors } from '../errors/define-errors.ts'
import { checkTable } from './check-table.ts'
import { type AnyRoute, route } from './route.ts'

const get = route({ handler: () => 1 })
const other = route({ handler: () => 1 })
const said = event({ data: v.object({}) })
const declined = { httpStatus: 402, message: 'Declined' }

type Table = Parameters<typeof checkTable>[0]
const check = (table: Partial<Table>) => () =>
  checkTable({ pkgIds: {}, routes: {}, events: {}, endpoints: [], errors: [], ...table })
const refused = (code: string, message: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('the table', () => {
  it('may be empty, and is fine when every PkgID has one entry', () => {
    expect(check({})).not.toThrow()
    expect(check({ pkgIds: { GET: 1, SAID: 2 ** 31 - 1 }, routes: { GET: get }, events: { SAID: said } })).not.toThrow()
    expect(check({ pkgIds: { A: 1, B: 2 }, routes: { A: get, B: get } })).not.toThrow()
  })

  it('lacks nothing and has nothing more [defect 80]', () => {
    expect(check({ pkgIds: { GET: 1 } })).toThrow(refused('missing_route', /^PkgID GET has no entry/))
    expect(check({ pkgIds: { toString: 1 } })).toThrow(refused('missing_route', /^PkgID toString has no entry/))
    expect(check({ routes: { GET: get } })).toThrow(refused('unknown_route', /^GET is not declared in pkgIds/))
    expect(check({ events: { SAID: said } })).toThrow(refused('unknown_route', /^SAID is not declared in pkgIds/))
    expect(check({ routes: { valueOf: get } })).toThrow(refused('unknown_route', /^valueOf is not declared in pkgIds/))
    expect(check({ pkgIds: { GET: 1 }, routes: { GET: get }, events: { GET: said } })).toThrow(
      refused('duplicate_pkg_id', /both a route and an event/),
    )
  })

  it.each([0, -1, 1.5, 2 ** 31, Number.NaN, '1' as unknown as number])('has no PkgID %s', (pkgId) => {
    expect(check({ pkgIds: { GET: pkgId }, routes: { GET: get } })).toThrow(refused('bad_pkg_id', /^PkgID GET must be/))
  })

  it('has no two names for one number', () => {
    expect(check({ pkgIds: { A: 7, B: 7 }, routes: { A: get, B: other } })).toThrow(
      refused('duplicate_pkg_id', /^PkgIDs A and B are both 7/),
    )
  })

  it('has what was made for it', () => {
    const wrong = said as unknown as AnyRoute
    expect(check({ pkgIds: { A: 1 }, routes: { A: wrong } })).toThrow(
      refused('bad_route', /^routes.A was not made by route/),
    )
    const none = undefined as unknown as AnyRoute
    expect(check({ pkgIds: { A: 1 }, routes: { A: none } })).toThrow(
      refused('bad_route', /^routes.A was not made by route/),
    )
    expect(check({ pkgIds: { A: 1 }, events: { A: get as unknown as typeof said } })).toThrow(
      refused('bad_route', /^events.A was not made by event/),
    )
  })

  it('has each event once: a publication names the definition', () => {
    expect(check({ pkgIds: { A: 1, B: 2 }, events: { A: said, B: said } })).toThrow(
      refused('duplicate_route', /^Events A and B are the same definition/),
    )
  })

  it('has endpoints that are on HTTP', () => {
    expect(check({ endpoints: [route({ http: 'GET /x', handler: () => 1 })] })).not.toThrow()
    expect(check({ endpoints: [route({ summary: 'Export', handler: () => 1 })] })).toThrow(
      refused('bad_route', /^endpoints\[0\] \('Export'\) is an endpoint without http/),
    )
  })

  it('has each error code once', () => {
    const billing = defineErrors('billing', { declined })
    const again = defineErrors('billing', { declined })
    const withErrors = (...errors: (typeof billing.declined)[]) => route({ errors, handler: () => 1 })
    const pkgIds = { A: 1 }
    expect(check({ pkgIds, routes: { A: withErrors(billing.declined) }, errors: [billing.declined] })).not.toThrow()
    expect(check({ pkgIds, routes: { A: withErrors(billing.declined) }, errors: [again.declined] })).toThrow(
      refused('duplicate_error_code', /'billing.declined' is defined twice/),
    )
    expect(check({ pkgIds, routes: { A: withErrors(billing.declined, again.declined) } })).toThrow(
      refused('duplicate_error_code', /billing.declined/),
    )
  })
})
