import { fileURLToPath } from 'node:url'
import type { PageProgram } from './page-program.ts'

/** For `startProgram`: an app takes a free port, and logs where it listens, and a client on Node.js 20 has a WebSocket. */
export const programEnv = {
  PORT: '0',
  NODE_ENV: 'development',
  NODE_NO_WARNINGS: '1',
  NODE_OPTIONS: `--import=${fileURLToPath(new URL('./global-web-socket.mjs', import.meta.url))}`,
} as const

/** The origin of an app that a program of a page serves, from its log. */
export async function originOf(program: PageProgram): Promise<string> {
  const [, url = ''] = await program.find(/"url":"(http:[^"]+)".*"msg":"Listening"/)
  return url
}
