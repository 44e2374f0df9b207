// A SIGTERM for `npm start` reaches npm and its shell, and the shell dies of it without telling its child. So a child
// of an npm script looks whether its parent is still there, and gives itself the signal if not.
import process from 'node:process'

/** @param {string} script The npm script that this process may have been started by; started otherwise, nothing is watched. */
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
