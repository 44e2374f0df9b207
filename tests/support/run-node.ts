import { spawn } from 'node:child_process'

/** Runs Node.js to its end. `output` is all that it has printed, on both streams. */
export function runNode(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, options)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    child.once('error', reject)
    // All of its output has been read then.
    child.once('close', (code) => resolve({ code, output }))
  })
}
