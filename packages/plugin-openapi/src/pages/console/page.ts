// The console: reads, and calls.
import { runProgram } from '../program/program.ts'

void runProgram('console')
