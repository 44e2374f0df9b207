import process from 'node:process'

/** Work that takes CPU and nothing else. Counted, not timed: a process that has to wait for its core does no less of it. */
export function burn(rounds) {
  let mixed = rounds | 0
  for (let i = 0; i < rounds; i++) mixed = (Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) + i) | 0
  return mixed
}

/** How many rounds take so many microseconds of CPU on this machine, in code that the optimising compiler has compiled. */
export function calibrate(micros) {
  if (micros === 0) return 0
  const perCall = 20_000
  let kept = 0
  const measure = () => {
    const before = process.cpuUsage()
    for (let call = 0; call < 500; call++) kept ^= burn(perCall + call)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  const tries = Array.from({ length: 9 }, measure)
  if (!Number.isInteger(kept)) throw new Error('The work was left out')
  return Math.round(((perCall + 250) * 500 * micros) / Math.min(...tries))
}
