import { PkgID } from './pkg-ids.ts'

/** Where it listens, and two commands to try, ready to be pasted. */
export function printWelcome(url: string, websocketPath: string): void {
  const socketUrl = `${url.replace(/^http/, 'ws')}${websocketPath}`
  const frame = {
    pkg_id: PkgID.GET_AUTHORS,
    req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55',
    data: { search_term: 'le' },
  }
  console.log(`
The authors are served on
  ${url}
  ${socketUrl}

Try, in another terminal:
  curl -i '${url}/authors?search=le'
  npx --yes wscat -c ${socketUrl} -x '${JSON.stringify(frame)}'

There is no authentication yet: whoever reaches the port may read and write. Ctrl+C stops it.
`)
}
