import type { MaybePromise } from '../base/maybe-promise.ts'
import type { AnySchema, InputOf, OutputOf } from '../base/schema.ts'
import type { Access } from '../call/call.ts'
import type { Page, PageSchema } from '../call/page.ts'
import type { Reply, StreamReply } from '../call/reply.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import type { BaseCommand } from './command.ts'
import type { PathParameters } from './path-pattern.ts'
import type { Route } from './route.ts'
import type { TypeMistake } from './step.ts'
import type { CallOf, Use, ValidUse } from './use.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** `POST /authors`, `GET /authors/:id`. */
export type HttpRouteText = `${HttpMethod} /${string}`

/** What a string of a path or query is turned into where the schema cannot say. */
export type ParameterType = 'int' | 'number' | 'boolean' | 'bigint' | 'date'

/** Path, query and body of a request as one: texts coerced as far as the route says what they are. */
export type HttpFields = Readonly<Record<string, unknown>>

/** The HTTP side of a route. */
export interface HttpOptions<Text extends HttpRouteText = HttpRouteText, Mapped = unknown> {
  readonly route: Text
  /** Status of success. Default 200. */
  readonly status?: number
  /** Query keys that a method with a body takes. */
  readonly query?: readonly string[]
  /** Types of path and query parameters, for schemas whose structure core cannot read. */
  readonly params?: Readonly<Record<string, ParameterType>>
  /** Makes the input from path and query, where the two wires differ in shape. */
  readonly input?: (query: HttpFields) => Mapped
  /** `raw`: the input has the bytes of the body under `body`, whatever their type. HTTP-only routes. Default `parsed`. */
  readonly body?: 'parsed' | 'raw'
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number
}

export type HttpBinding = HttpRouteText | HttpOptions

type PathOf<Text> = Text extends `${string} ${infer Path}` ? Path : never

/** Every `:parameter` of the path, and the name of its wildcard, has to be a key of the input. A path that is not known here has any. */
type ValidHttp<Text, Input> = [Text] extends [never] ? unknown : HasKeys<PathParameters<PathOf<Text>>, Input>
export type HasKeys<Names extends string, Input> = string extends Names
  ? unknown
  : [Names] extends [KeysOf<Input>]
    ? unknown
    : TypeMistake<`the path has a parameter that is no key of the input: '${Exclude<Names, KeysOf<Input>> & string}'`>
type KeysOf<T> = T extends unknown ? keyof T : never

/** Stands for "no schema given". */
export interface NoSchema extends AnySchema {
  readonly '~none': true
}
type IsNone<S extends AnySchema> = S extends NoSchema ? true : false

/** What the handler gets. */
type Validated<S extends AnySchema> = IsNone<S> extends true ? undefined : OutputOf<S>
/** What a caller sends. */
type Sent<S extends AnySchema> = IsNone<S> extends true ? undefined : InputOf<S>
/** What the handler has to return. */
type Returned<R extends AnySchema> =
  IsNone<R> extends true ? unknown : R extends PageSchema<infer Item> ? Page<InputOf<Item>> : InputOf<R>
/** What a caller gets. */
type Answer<R extends AnySchema, O> =
  IsNone<R> extends true ? Unwrap<O> : R extends PageSchema<infer Item> ? Page<OutputOf<Item>> : OutputOf<R>
/** With a schema it is a value: the handler is held to it. */
type FormOf<R extends AnySchema, O> =
  IsNone<R> extends true ? (0 extends 1 & O ? 'value' : O extends StreamReply ? 'stream' : 'value') : 'value'
type Unwrap<O> = O extends Reply<infer T> ? T : O

interface CommonOptions {
  readonly summary?: string
  /** Default: `authenticated` when a plugin owns identity, else the app's `defaultAccess`. */
  readonly access?: Access
  /** Errors of `defineErrors` that it may answer with. */
  readonly errors?: readonly ErrorFactory[]
  /** Milliseconds until the call is answered with `deadline_exceeded`; 0 for none. Default: the app's. */
  readonly deadlineMs?: number
  /** Calls of this route on one connection never overlap. Default false. */
  readonly ordered?: boolean
}

/** With a schema the handler is held to it, and its literals stay literals; without one it says itself what it returns. */
type Result<R extends AnySchema, O> = IsNone<R> extends true ? O : Returned<R> | Reply<Returned<R>>

type Execution<C, I, R extends AnySchema, O> =
  | { readonly handler: (input: I, call: C) => MaybePromise<Result<R, O>>; readonly command?: never }
  | { readonly command: (call: C) => BaseCommand<I, Result<R, O>>; readonly handler?: never }

/** The steps of a base against the input of a route that has none of its own: there is no `use` that could tell. */
type ValidBase<Base extends Use, U extends Use, Input> = Base extends readonly []
  ? unknown
  : U extends readonly []
    ? ValidUse<[], Input, Base>
    : unknown

/** `route`, and what `route.with` makes. */
export interface RouteFactory<Base extends Use> {
  <
    const U extends Use = [],
    S extends AnySchema = NoSchema,
    R extends AnySchema = NoSchema,
    const Text extends HttpRouteText = never,
    O = unknown,
    Mapped = never,
  >(
    definition: CommonOptions & {
      /** The second wire; left out: WebSocket only. */
      readonly http?: (Text | HttpOptions<Text, Mapped>) & ValidHttp<Text, Sent<S>>
      /** Guards, checks and interceptors, in this order. */
      readonly use?: U & ValidUse<U, Validated<S>, Base>
      /** Left out: the handler gets `undefined`, whatever was sent. */
      readonly input?: S
      /** What leaves is projected on it: keys it does not name stay inside. Left out: the result goes out as it is. */
      readonly output?: R
    } & Execution<CallOf<[...Base, ...U]>, Validated<S>, R, O> &
      ValidBase<Base, U, Validated<S>>,
  ): Route<Sent<S>, Answer<R, O>, [Mapped] extends [never] ? FormOf<R, O> : 'mapped'>

  /** A `route` whose routes all begin with these steps. */
  with<const U extends Use>(...steps: U & ValidUse<U, never, Base>): RouteFactory<[...Base, ...U]>
}
