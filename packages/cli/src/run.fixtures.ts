import { run } from './run.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the program in this process. `stdin`: what it reads there. */
export async function runTwinwire(args: readonly string[], stdin = ''): Promise<Ran> {
  let [out, err] = ['', '']
  const code = await run(args, {
    stdin: chunks(stdin),
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
  })
  return { code, out, err }
}

async function* chunks(text: string): AsyncGenerator<string> {
  yield text
}
