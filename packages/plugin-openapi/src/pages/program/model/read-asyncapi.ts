import { readDemands, readErrors, readFacts, readSteps } from './facts.ts'
import { type Fields, fieldsOf, listOf, numberOf, textOf } from './json.ts'
import type { CloseInfo, ErrorInfo, EventInfo, FrameInfo, FramePart, Model, Operation, TopicInfo } from './model.ts'
import { follow, kindOf, type Schema, schemaOf } from './schema.ts'

type Read = Pick<
  Model,
  'address' | 'closes' | 'errors' | 'events' | 'frames' | 'hasAuth' | 'limits' | 'operations' | 'topics'
>

/** What AsyncAPI says: packages, events, control frames, topics, close codes. */
export function readAsyncApi(root: Fields): Read {
  const [channel] = Object.values(fieldsOf(root['channels'])).map(fieldsOf)
  const operations = Object.entries(fieldsOf(root['operations'])).map(([name, value]) => ({
    name,
    value: fieldsOf(value),
  }))
  return {
    address: channel === undefined ? null : textOf(channel['address']),
    operations: operations.flatMap(({ value }) => (value['x-route'] === undefined ? [] : [readPackage(root, value)])),
    events: operations.flatMap(({ value }) => (value['x-event'] === undefined ? [] : [readEvent(root, value)])),
    frames: operations.flatMap(({ name, value }) =>
      value['x-route'] === undefined && value['x-event'] === undefined ? [readFrame(root, name, value)] : [],
    ),
    topics: listOf(channel?.['x-topics']).map(readTopic),
    closes: listOf(channel?.['x-close-codes']).map(readClose),
    limits: fieldsOf(channel?.['x-limits']),
    errors: readErrors(root['x-error-codes']),
    hasAuth: operations.some(({ name }) => name === 'auth'),
  }
}

interface Message {
  readonly message: Fields
  readonly payload: Schema
}

function messagesOf(root: Fields, value: unknown): readonly Message[] {
  return listOf(fieldsOf(value)['messages']).map((each) => {
    const message = follow(root, each)
    return { message, payload: schemaOf(root, message['payload']) }
  })
}

/** The `data` of a package; null if there is none. */
function dataOf(payload: Schema | undefined): Schema | null {
  const data = fieldsOf(payload?.node['properties'])['data']
  if (payload === undefined || data === undefined) return null
  const schema = schemaOf(payload.root, data)
  return kindOf(schema) === 'null' ? null : schema
}

function readPackage(root: Fields, operation: Fields): Operation {
  const [request] = messagesOf(root, operation)
  const replies = messagesOf(root, operation['reply'])
  const isSuccess = ({ message }: Message): boolean => (message['x-status-code'] ?? 0) === 0
  const errors: readonly ErrorInfo[] = replies.flatMap(({ message }) => readErrors(message['x-error-codes']))
  return {
    ...readFacts(operation),
    ws: { input: dataOf(request?.payload), output: dataOf(replies.find(isSuccess)?.payload) },
    overHttp: null,
    errors,
  }
}

function readEvent(root: Fields, operation: Fields): EventInfo {
  const [sent] = messagesOf(root, operation)
  const [answered] = messagesOf(root, operation['reply'])
  return {
    name: textOf(operation['x-event']),
    summary: textOf(operation['summary']),
    pkgId: numberOf(operation['x-pkg-id']) ?? 0,
    data: dataOf(sent?.payload),
    answer: dataOf(answered?.payload),
  }
}

function readFrame(root: Fields, name: string, operation: Fields): FrameInfo {
  const [first] = messagesOf(root, operation)
  const replies: readonly FramePart[] = messagesOf(root, operation['reply']).map(({ message, payload }) => ({
    name: textOf(message['name']),
    payload,
  }))
  return {
    name,
    direction: operation['action'] === 'receive' ? 'to the app' : 'from the app',
    summary: textOf(operation['summary']) || textOf(first?.message['summary']),
    payload: first?.payload ?? { root, node: {} },
    replies,
  }
}

function readTopic(row: unknown): TopicInfo {
  const topic = fieldsOf(row)
  const { size, ttlMs } = fieldsOf(topic['history'])
  const seconds = numberOf(ttlMs)
  return {
    pattern: textOf(topic['pattern']),
    subscribe: topic['subscribe'] === true,
    presence: topic['presence'] === true,
    resume: topic['resume'] === true,
    history: size === undefined ? 'none' : `the last ${size}${seconds === null ? '' : `, for ${seconds / 1000} s`}`,
    slow: textOf(topic['slow']),
    demands: readDemands(topic['steps']),
    steps: readSteps(topic['steps']),
  }
}

function readClose(row: unknown): CloseInfo {
  const { code, reason, reconnect } = fieldsOf(row)
  return { code: numberOf(code) ?? 0, reason: textOf(reason), reconnect: textOf(reconnect) }
}
