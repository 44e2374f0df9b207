// Checks that CI has anyway, on the packages of the copy.
import process from 'node:process'
import { command } from '../copy.mjs'

export async function checkScript({ folder }, script) {
  const lines = command(process.execPath, [script], { cwd: folder }).trim().split('\n')
  return { did: lines.length === 1 ? lines[0] : `${lines.length} checks passed`, faults: [] }
}
