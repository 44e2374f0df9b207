import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import process from 'node:process'

const namePattern = /^audit-([^-]+)-(\d+)-(\d+)-([0-9a-f]{16})-(\d+)\.jsonl$/

/** Who writes a file: processes of one id follow one another, in a container within seconds. */
interface Owner {
  readonly host: string
  readonly pid: number
  /** When the process began, in ticks since the machine did; 0 where the system does not say. */
  readonly startTicks: number
  readonly token: string
}

/** Of this process, which may run several apps. */
const open = new Set<string>()

/** Names the files of one app in one process, and knows whose they are. */
export class SpillOwner {
  readonly #owner: Owner
  #next = 0

  private constructor(owner: Owner) {
    this.#owner = owner
    open.add(owner.token)
  }

  static async create(): Promise<SpillOwner> {
    const token = randomBytes(8).toString('hex')
    const startTicks = (await readStartTicks(process.pid)) ?? 0
    return new SpillOwner({ host: toHostPart(hostname()), pid: process.pid, startTicks, token })
  }

  nextName(): string {
    const { host, pid, startTicks, token } = this.#owner
    this.#next++
    return `audit-${host}-${pid}-${startTicks}-${token}-${this.#next}.jsonl`
  }

  /**
   * `ended`: its process has ended, on this host. `foreign`: of another host, of which nothing can be known. Null for other files and those of
   * processes that run.
   */
  async findState(name: string): Promise<'ended' | 'foreign' | null> {
    const [, host = '', pid = '', startTicks = '', token = ''] = namePattern.exec(name) ?? []
    if (token === '' || open.has(token)) return null
    if (host !== this.#owner.host) return 'foreign'
    return (await isRunning(Number(pid), Number(startTicks))) ? null : 'ended'
  }

  close(): void {
    open.delete(this.#owner.token)
  }
}

async function isRunning(pid: number, startTicks: number): Promise<boolean> {
  // Its token is not one of this process: the process before had the same id.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as another user.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
  }
  const current = await readStartTicks(pid)
  return current === null || startTicks === 0 || current === startTicks
}

/** Null where the system has no /proc, and for a process that has ended. */
async function readStartTicks(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the name of the program, in brackets, with anything in it.
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    return Number.isSafeInteger(ticks) ? ticks : null
  } catch {
    return null
  }
}

function toHostPart(name: string): string {
  return name.replace(/[^\w.]/g, '_').slice(0, 64) || 'host'
}
