import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { type Browser, chromium } from 'playwright-core'
import { serviceMissing } from './service.ts'

const path = process.env.TEST_CHROMIUM ?? ['chromium', 'chromium-browser'].map(find).find((each) => each !== '') ?? ''

function find(command: string): string {
  const { stdout } = spawnSync('which', [command], { encoding: 'utf8' })
  return stdout?.trim() ?? ''
}

/** Is there one? If not, prints what lacks, or throws where services are required. */
export function hasChromium(): boolean {
  return path !== '' || serviceMissing('Chromium', 'apt-get install chromium, or set TEST_CHROMIUM to its path')
}

export async function startChromium(): Promise<Browser> {
  // As root, as in a container, its sandbox does not start.
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
