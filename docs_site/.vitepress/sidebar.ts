import type { DefaultTheme } from 'vitepress'
import { entryPoints } from './entry-points.ts'

type Group = readonly [title: string, pages: readonly (readonly [text: string, page: string])[]]

const groups: readonly Group[] = [
  [
    'Start',
    [
      ['Twinwire', 'index'],
      ['Quick start', 'quick-start'],
      ['A new project', 'create'],
      ['Installing', 'installing'],
      ['The command twinwire', 'cli'],
    ],
  ],
  [
    'Tutorial: a shopping list',
    [
      ['What is built', 'tutorial/index'],
      ['1. A route on both wires', 'tutorial/1-routes'],
      ['2. A database', 'tutorial/2-database'],
      ['3. Errors and tests', 'tutorial/3-errors'],
      ['4. Users and roles', 'tutorial/4-users'],
      ['5. Live', 'tutorial/5-live'],
      ['6. Limits and metrics', 'tutorial/6-limits-and-metrics'],
      ['7. Once, and files', 'tutorial/7-once-and-files'],
      ['8. To production', 'tutorial/8-production'],
    ],
  ],
  [
    'Build an app',
    [
      ['Routes', 'routes'],
      ['Steps', 'steps'],
      ['Input and output', 'input-and-output'],
      ['Commands and repositories', 'commands'],
      ['Events and topics', 'topics'],
      ['Errors', 'errors'],
      ['HTTP', 'http'],
      ['Plugins', 'plugins'],
      ['Write a plugin', 'write-a-plugin'],
    ],
  ],
  [
    'Both wires',
    [
      ['The protocol of the wire', 'wire-protocol'],
      ['What a server rejects', 'wire'],
      ['Order, limits, deadlines', 'limits'],
      ['Uploads and streams', 'uploads-and-streams'],
      ['Static files', 'static-files'],
      ['Compression', 'compression'],
      ['Cookies', 'cookies'],
    ],
  ],
  [
    'Clients',
    [
      ['The client', 'client'],
      ['React', 'client-react'],
      ['The console', 'console'],
      ['API descriptions', 'api-descriptions'],
      ['Breaking changes', 'api-diff'],
    ],
  ],
  [
    'Users and limits',
    [
      ['Signing in', 'auth'],
      ['Sessions', 'sessions'],
      ['Rate limits', 'rate-limits'],
    ],
  ],
  [
    'Data',
    [
      ['A database', 'database'],
      ['Transactions and migrations', 'transactions'],
      ['Effects that happen once', 'once'],
      ['The outbox', 'outbox'],
      ['Jobs', 'jobs'],
    ],
  ],
  [
    'Many processes',
    [
      ['Realtime', 'realtime'],
      ['Processes on one port', 'cluster'],
      ['Tasks', 'tasks'],
    ],
  ],
  [
    'Operations',
    [
      ['Running an app', 'running'],
      ['Logs', 'logs'],
      ['Deployment', 'deployment'],
      ['Behind a proxy', 'behind-a-proxy'],
      ['Settings', 'settings'],
      ['Metrics', 'metrics'],
      ['Traces', 'tracing'],
      ['Profiles', 'profiling'],
      ['The audit log', 'audit'],
      ['Reading the audit log', 'audit-logs'],
      ['Troubleshooting', 'troubleshooting'],
      ['Boot errors', 'boot-errors'],
    ],
  ],
  [
    'Proof',
    [
      ['Testing', 'testing'],
      ['Reliability', 'reliability'],
      ['Performance', 'performance'],
      ['Sizes', 'sizes'],
      ['Policies', 'policies'],
    ],
  ],
  [
    'Recipes',
    [
      ['All recipes', 'recipes/index'],
      ['A chat', 'recipes/chat'],
      ['An upload with progress', 'recipes/upload-progress'],
      ['Webhooks, each one once', 'recipes/webhooks'],
      ['A slow service of others', 'recipes/slow-service'],
      ['Delete and restore', 'recipes/soft-delete'],
      ['Who changed what', 'recipes/changes'],
      ['A list with filters', 'recipes/list'],
      ['Once a day', 'recipes/daily'],
    ],
  ],
  [
    'Coming from',
    [
      ['Route by route', 'coming-from/index'],
      ['Fastify', 'coming-from/fastify'],
      ['NestJS', 'coming-from/nestjs'],
      ['tRPC', 'coming-from/trpc'],
      ['Socket.IO', 'coming-from/socket-io'],
      ['The Python reference', 'coming-from/python-reference'],
    ],
  ],
  [
    'From the Python reference',
    [
      ['What it does wrong', 'reference-defects'],
      ['Its variables', 'reference-settings'],
      ['Its alerts', 'reference-alerts'],
    ],
  ],
  [
    'Decisions',
    [
      ['All decisions', 'decisions/index'],
      ['App and plugins', 'decisions/app-and-plugins'],
      ['Calls and routes', 'decisions/calls-and-routes'],
      ['HTTP', 'decisions/http'],
      ['Files and streams', 'decisions/files-and-streams'],
      ['Transport and hub', 'decisions/transport-and-hub'],
      ['Database', 'decisions/database'],
      ['Redis', 'decisions/redis'],
      ['Users and limits', 'decisions/users-and-limits'],
      ['Clients and descriptions', 'decisions/clients-and-descriptions'],
      ['Operations', 'decisions/operations'],
      ['Tools and tests', 'decisions/tools-and-tests'],
    ],
  ],
]

/** The address of a page: that of an `index` is its folder. */
export const toAddress = (page: string): string => `/${page.replace(/(^|\/)index$/, '$1')}`

/** Every page, once: a test compares them with the files. */
export const sidebar: DefaultTheme.SidebarItem[] = groups.map(([text, pages]) => ({
  text,
  items: pages.map(([title, page]) => ({ text: title, link: toAddress(page) })),
}))

/** Pages that `npm run docs` writes. */
export const referenceSidebar: DefaultTheme.SidebarItem = {
  text: 'Reference',
  items: entryPoints.map(({ name, page }) => ({ text: name, link: `/reference/${page}` })),
}
