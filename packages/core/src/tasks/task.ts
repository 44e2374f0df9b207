import type { Logger } from '../base/logger.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'

/** One run of a task. */
export interface TaskRun {
  /** Aborted when the app drains, and when the node must not go on because another one may have begun: end soon. */
  readonly signal: AbortSignal
  /** With the name of the task. */
  readonly log: Logger
}

/** Work that is not part of a call. */
export interface TaskOptions {
  /** From the end of a run to the next one, in milliseconds, at least 10. The first run begins when the app is ready. */
  readonly everyMs: number
  /**
   * Of the nodes of the app one runs it, as long as it lives; when it has ended another one goes on, within 20 seconds of a crash. It needs a broker
   * with leases. Default false: every node runs it.
   */
  readonly onOneNode?: boolean
  /** Never runs twice at once on a node. What it throws is logged and counted, and it runs again after `everyMs`. */
  run(task: TaskRun): MaybePromise<void>
}

/** By name. */
export type TaskTable = Readonly<Record<string, TaskOptions>>

export const tasksRule: OptionRule<TaskTable | undefined> = option.custom({
  expects: 'tasks by name, such as { cleanUp: { everyMs: 60_000, run: async () => {} } }',
  is: (value): value is TaskTable => typeof value === 'object' && value !== null && !Array.isArray(value),
})

/** A task of the app or of a plugin, checked. */
export interface Task {
  readonly name: string
  readonly everyMs: number
  readonly onOneNode: boolean
  readonly run: TaskOptions['run']
}

const rules = {
  everyMs: option.duration({ min: 10, required: true }),
  onOneNode: option.flag({ default: false }),
  run: option.callback<TaskOptions['run']>({ required: true }),
}

/**
 * @param owner - For messages: `createApp()`.
 * @param path - Of the task in the options of the owner.
 * @throws BootError `bad_option`, `unknown_option`
 */
export function checkTask(owner: string, path: string, name: string, options: TaskOptions): Task {
  const { everyMs, onOneNode, run } = checkOptions(owner, options, rules, path)
  return { name, everyMs, onOneNode, run: (task) => run(task) }
}

/** Those of `createApp`. */
export function checkTasks(table: TaskTable = {}): readonly Task[] {
  return Object.entries(table).map(([name, options]) => checkTask('createApp()', `tasks.${name}`, name, options))
}
