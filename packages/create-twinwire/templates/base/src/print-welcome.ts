//: if auth
import type { Issuer } from './issuer.ts'
//: end
import { PkgID } from './pkg-ids.ts'

/** Prints the addresses, and two commands to try, one for each wire. */
//: if auth
export function printWelcome(url: string, tokens: Issuer['tokens']): void {
//: else
export function printWelcome(url: string): void {
//: end
  const socketUrl = `${url.replace(/^http/, 'ws')}/ws`
  const frame = JSON.stringify({ pkg_id: PkgID.LIST_NOTES, req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55', data: {} })
  //: if auth
  const header = `-H 'authorization: Bearer ${tokens?.writer ?? '<a token of your issuer>'}'`
  //: end
  console.log(`
Listening on ${url}
//: if page
//: if auth
The page:    ${url}/${tokens === null ? '' : `#token=${tokens.writer}`}
//: else
The page:    ${url}/
//: end
//: end
//: if auth
${tokens === null ? '' : developmentLines(tokens)}
//: end

Try, in another terminal:
//: if auth
  curl ${header} -H 'content-type: application/json' -d '{"text":"Buy milk"}' ${url}/notes
  npx --yes wscat -c ${socketUrl} ${header} -x '${frame}' -w 1
//: else
  curl -H 'content-type: application/json' -d '{"text":"Buy milk"}' ${url}/notes
  npx --yes wscat -c ${socketUrl} -x '${frame}' -w 1
//: end

Ctrl+C stops it.
`)
}
//: if auth

function developmentLines({ writer, reader }: NonNullable<Issuer['tokens']>): string {
  return `
DEVELOPMENT ISSUER, NEVER FOR PRODUCTION: it gives any token to any user of this machine. Two of them, valid for twelve hours:
  writer   ${writer}
  reader   ${reader}`
}
//: end
