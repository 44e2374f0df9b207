// The description of the WebSocket, to read.
import { runProgram } from '../program/program.ts'

void runProgram('reader')
