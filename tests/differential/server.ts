// One build of the differential test, in a process of its own. It runs beside the packages of that build: see build.ts.
import process from 'node:process'
import * as v from 'valibot'
import { startApps } from './apps.ts'

const Shared = v.object({ issuer: v.string(), nowMs: v.number() })

const lines: string[] = []
process.on('message', () => void process.send?.({ lines }))
process.on('disconnect', () => process.exit(0))
const shared = v.parse(Shared, JSON.parse(process.env.TWINWIRE_DIFFERENTIAL ?? ''))
const { ports } = await startApps(shared, (line) => void lines.push(line))
process.send?.({ core: import.meta.resolve('@twinwire/core'), ports })
