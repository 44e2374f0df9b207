import { randomUUID } from 'node:crypto'
import { toIssues } from '../base/schema.ts'
import type { AskOptions } from '../call/call.ts'
import type { QuestionDefinition } from '../call/event.ts'
import {
  AppError,
  coreError,
  DeadlineExceededError,
  InternalError,
  UnavailableError,
  ValidationError,
} from '../errors/app-error.ts'
import { unknownEvent } from '../hub/prepare-publication.ts'
import { findUnsafe } from '../protocol/safe-value.ts'
import type { WireInput } from '../route/wire-input.ts'
import type { WireConnection } from './wire.ts'

type AskedConnection = Pick<WireConnection, 'admitted' | 'codec' | 'shared' | 'send'>

/** A question that its client has not answered yet. */
interface Question {
  /** Ends it with the answer, or with the error of one that does not fit. */
  take(data: unknown): Promise<void>
  fail(error: unknown): void
}

export const questionTimeoutMs = 30_000
/** The longest delay of a timer. */
const maxTimeoutMs = 2 ** 31 - 1

/** By `req_id`. Only of connections that have one, so no connection has a field for them. */
const open = new WeakMap<AskedConnection, Map<string, Question>>()

/** Sends an event that the client answers. See `CallConnection.ask`. */
export async function ask<Answer>(
  connection: AskedConnection,
  event: QuestionDefinition<unknown, never, Answer>,
  data: unknown,
  { timeoutMs = questionTimeoutMs }: AskOptions,
): Promise<Answer> {
  const { findEvent, options, services } = connection.shared
  const compiled = findEvent(event)
  if (compiled === undefined) throw unknownEvent(event)
  if (event.answer === null) throw new TypeError('The event has no answer: declare one, event({ data, answer })')
  if (!(Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= maxTimeoutMs))
    throw new RangeError(`timeoutMs must be an integer from 1 to ${maxTimeoutMs}, not ${timeoutMs}`)
  if (!connection.admitted) throw new UnavailableError('The connection is not open')
  const questions = open.get(connection) ?? new Map<string, Question>()
  if (questions.size >= options.maxInFlight)
    throw coreError('too_many_in_flight', `The connection has ${questions.size} open questions already`)
  const reqId = randomUUID()
  const frame = connection.codec.encodeEvent(compiled.pkgId, compiled.toData(data), null, reqId)
  open.set(connection, questions)
  const answered = new Promise<Answer>((resolve, reject) => {
    const fail = (error: unknown): void => {
      end()
      reject(error)
    }
    const timer = services.clock.timer(timeoutMs, () => fail(new DeadlineExceededError(timeoutMs)))
    const end = (): void => {
      timer.cancel()
      questions.delete(reqId)
      if (questions.size === 0) open.delete(connection)
    }
    const take = async (answer: unknown): Promise<void> => {
      const value = await read(event, compiled.answer, answer)
      end()
      resolve(value)
    }
    questions.set(reqId, { take, fail })
  })
  // A client that is too slow for it is disconnected, which ends the question.
  connection.send(frame, connection.codec.binary)
  return answered
}

/**
 * The client answers. Resolves to the error of an answer that does not fit, which also ends its question; to null for one that is taken, and
 * for one that no open question of this connection waits for: it came too late, or twice.
 */
export async function takeAnswer(connection: AskedConnection, reqId: string, data: unknown): Promise<AppError | null> {
  const question = open.get(connection)?.get(reqId)
  if (question === undefined) return null
  try {
    await question.take(data)
    return null
  } catch (error) {
    question.fail(error)
    return AppError.is(error) ? error : new InternalError()
  }
}

/** The connection has closed. */
export function endQuestions(connection: AskedConnection): void {
  const questions = open.get(connection)
  if (questions === undefined) return
  for (const question of questions.values()) question.fail(new UnavailableError('The connection has closed'))
}

async function read<Answer>(
  { answer }: QuestionDefinition<unknown, never, Answer>,
  wire: WireInput | null,
  data: unknown,
): Promise<Answer> {
  const unsafe = findUnsafe(data, true)
  if (unsafe !== null) throw new ValidationError(undefined, [unsafe])
  const result = await answer['~standard'].validate(wire === null ? data : wire.convert(data))
  if (result.issues !== undefined)
    throw new ValidationError(undefined, (wire === null ? toIssues : wire.toIssues)(result.issues))
  return result.value
}
