// Node.js 20 has no WebSocket. For programs of pages that are for newer ones too: `NODE_OPTIONS=--import=<this file>`.
import { WebSocket } from 'ws'

Object.assign(globalThis, { WebSocket: globalThis.WebSocket ?? WebSocket })
