import type { OptionRules } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'
import type { Call } from '../call/call.ts'
import { CallContext } from '../call/call-context.ts'
import { guard, type Step } from '../route/step.ts'
import { mayBeSecure } from './forwarded-proto.ts'
import { originsRule } from './host.ts'
import { findOriginError, type OriginRequest } from './origin.ts'

export interface CsrfOptions {
  /** Pages of other origins that may send requests, `https://app.example`. Default: none. `cors` says who may read answers. */
  readonly origins?: readonly string[]
}

const rules = { origins: originsRule() } satisfies OptionRules<CsrfOptions>

/**
 * Refuses requests that pages of other origins have sent with the cookies of their visitors (cross-site request forgery), with
 * `permission_denied`. GET, HEAD and OPTIONS pass: let them change nothing. For a package, the upgrade of its connection decides, whatever
 * `websocket.origins` allows. Clients other than browsers pass.
 *
 * @throws BootError `bad_option` for something that is not an origin
 *
 * @example
 * const transfer = route({
 *   http: 'POST /transfers',
 *   use: [csrf({ origins: ['https://pay.example'] })],
 *   handler: () => ({ done: true }),
 * })
 */
export function csrf(options: CsrfOptions = {}): Step<'guard', void, Call, unknown, unknown, 'csrf'> {
  const { origins = [] } = checkOptions('csrf()', options, rules)
  return guard({
    name: 'csrf',
    keepsCall: false,
    run: (call) => {
      const error = findOriginError(toOriginRequest(call), origins)
      if (error !== null) throw error
    },
  })
}

function toOriginRequest(call: Call): OriginRequest {
  const { wire, headers, route } = call
  const method = route.method ?? ''
  if (!(call instanceof CallContext)) return { wire, headers, method, secure: false }
  const { peer, services } = call
  return { wire, headers, method: peer.method ?? method, secure: peer.isSecure ?? wasSecure(headers, services.usesTls) }
}

/** Of an upgrade: a connection does not keep whether its proxy is trusted. Believing it here only refuses more. */
function wasSecure(headers: Call['headers'], usesTls: boolean): boolean {
  return usesTls || mayBeSecure(headers['x-forwarded-proto'] ?? '')
}
