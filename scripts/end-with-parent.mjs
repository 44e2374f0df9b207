// A SIGTERM for `npm start` ends npm and its shell, but the shell does not forward it to its child. So a child
// of an npm script checks whether its parent still runs, and sends the signal to itself if not.
import process from 'node:process'

/** @param {string} script The npm script that may have started this process; if another one did, nothing is watched. */
export function endWithParent(script) {
  if (process.env.npm_lifecycle_event !== script) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 100)
  timer.unref()
}
