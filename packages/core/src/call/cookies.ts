import { readCookie } from './cookie-header.ts'
import type { ReplyHeaders } from './reply-headers.ts'
import { type CookieInit, type CookieOptions, type CookieRules, toSetCookie, verifyValue } from './set-cookie.ts'

/** Cookies of a reply by name: a value, a value with options, or null to delete one that has the default path and no domain. */
export type ReplyCookies = Readonly<Record<string, string | CookieInit | null>>

/** What a cookie was set with, so that browsers delete that one. */
export type DeleteCookieOptions = Pick<CookieOptions, 'domain' | 'path' | 'secure' | 'partitioned'>

/** The cookies of a request, and those of its reply. */
export interface Cookies {
  /**
   * As sent, decoded; null when it was not. A client can send anything. What was set in this call is not in it. Of two with one name the first
   * counts.
   */
  get(name: string): string | null
  /**
   * The value of a cookie that was set with `signed: true`; null when it was not sent, or was not signed for this name by one of the secrets of
   * the app.
   *
   * @throws TypeError in an app without `http.cookies.secrets`
   */
  signed(name: string): string | null
  /**
   * Adds a cookie to the reply, on success and failure alike, in place of one with the same name, domain and path. Without effect on
   * WebSocket.
   *
   * @throws TypeError for what browsers would not keep
   *
   * @example
   * call.cookies.set('theme', 'dark', { maxAgeSeconds: 31_536_000 })
   */
  set(name: string, value: string, options?: CookieOptions): void
  /** Deletes a cookie of the browser. It must have been set with the same `domain` and `path`. Without effect on WebSocket. */
  delete(name: string, options?: DeleteCookieOptions): void
}

/** What cookies need of their call. */
interface CookieCall {
  readonly headers: Readonly<Record<string, string>>
  readonly replyHeaders: ReplyHeaders
  readonly peer: { readonly isSecure?: boolean | undefined }
  readonly services: { readonly cookies: CookieRules }
}

/** Not fields of calls, most of which have no cookies. */
const known = new WeakMap<CookieCall, CallCookies>()

export function cookiesOf(call: CookieCall): Cookies {
  let cookies = known.get(call)
  if (cookies === undefined) {
    cookies = new CallCookies(call)
    known.set(call, cookies)
  }
  return cookies
}

/** Adds the cookies of a reply. */
export function addCookies(call: { readonly cookies: Cookies }, cookies: ReplyCookies): void {
  for (const [name, cookie] of Object.entries(cookies)) {
    if (cookie === null) call.cookies.delete(name)
    else if (typeof cookie === 'string') call.cookies.set(name, cookie)
    else call.cookies.set(name, cookie.value, cookie)
  }
}

class CallCookies implements Cookies {
  readonly #call: CookieCall

  constructor(call: CookieCall) {
    this.#call = call
  }

  get(name: string): string | null {
    return readCookie(this.#call.headers, name)
  }
  signed(name: string): string | null {
    return verifyValue(name, this.get(name) ?? '', this.#call.services.cookies.secrets)
  }
  set(name: string, value: string, options: CookieOptions = {}): void {
    const call = this.#call
    const isSecure = (): boolean => call.peer.isSecure === true
    put(call.replyHeaders, toSetCookie(name, value, options, isSecure, call.services.cookies))
  }
  delete(name: string, options: DeleteCookieOptions = {}): void {
    this.set(name, '', { ...options, maxAgeSeconds: 0, expires: new Date(0) })
  }
}

/** Browsers would keep the last one of a name, domain and path; clients that are none may keep the first. */
function put(headers: ReplyHeaders, text: string): void {
  const key = toKey(text)
  const isReplaced = ([name, value]: readonly [string, string]): boolean =>
    name === 'set-cookie' && toKey(value) === key
  const entries = headers.entries()
  if (entries.some(isReplaced)) headers.reset(entries.filter((entry) => !isReplaced(entry)))
  headers.append('set-cookie', text)
}

/** Name, domain and path. */
function toKey(setCookie: string): string {
  const [pair = '', ...attributes] = setCookie.split(';')
  const own = attributes.map((each) => each.trim().toLowerCase()).filter((each) => /^(?:domain|path)=/.test(each))
  return [pair.slice(0, pair.indexOf('=')), ...own.sort()].join(';')
}
