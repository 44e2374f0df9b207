import type { CompileError } from '../base/compile-error.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { AnySchema, InputOf, OutputOf, Schema } from '../base/schema.ts'
import type { Access } from '../call/call.ts'
import type { MultipartFile } from '../call/multipart-file.ts'
import type { EventsReply, FileReply, PageSchema, Reply, StreamReply } from '../call/reply.ts'
import type { RequestBody } from '../call/request-body.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import type { BaseCommand } from './command.ts'
import type { MultipartOptions } from './multipart-limits.ts'
import type { PathParameters } from './path-pattern.ts'
import type { Route } from './route.ts'
import type { CallOf, Use, ValidUse } from './use.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** `POST /authors`, `GET /authors/:id`; another method in upper case, such as `PURGE /cache/:id`. */
export type HttpRouteText = `${HttpMethod} /${string}` | `${Uppercase<string>} /${string}`

/**
 * How a route takes the body of a request. `parsed`: as a part of its input. `raw`: the input has its bytes under `body`, whatever their type.
 * `stream`: the handler reads `call.body` as it arrives. `multipart`: a form with files, whose fields are a part of the input, while the
 * handler reads `call.files` as they arrive.
 */
export type HttpBody = 'parsed' | 'raw' | 'stream' | 'multipart'

/** The type of a path or query parameter that the schema cannot tell. */
export type ParameterType = 'int' | 'number' | 'boolean' | 'bigint' | 'date'

/** Path, query and body of a request, merged: strings are converted where the route declares their type. */
export type HttpFields = Readonly<Record<string, unknown>>

/** The HTTP side of a route. */
export interface HttpOptions<
  Text extends HttpRouteText = HttpRouteText,
  Mapped = unknown,
  Body extends HttpBody = HttpBody,
> {
  readonly route: Text
  /** Status of success. Default 200. */
  readonly status?: number
  /**
   * The type of text, bytes, a stream or a file that the route answers with, where the reply does not say another: `text/csv; charset=utf-8`. It is in
   * descriptions of the app, also that of server-sent events (`text/event-stream`). A value without `reply` is JSON in any case. Default: by the kind of the
   * reply, and not described.
   */
  readonly contentType?: string
  /** Query keys that a method with a body takes. */
  readonly query?: readonly string[]
  /** Types of path and query parameters, for schemas whose structure core cannot read. */
  readonly params?: Readonly<Record<string, ParameterType>>
  /** Builds the input from path and query, where the two wires differ in shape. */
  readonly input?: (query: HttpFields) => Mapped
  /**
   * `raw`: the input has the bytes of the body under `body`, whatever their type. `stream`: the handler has `call.body`, a {@link RequestBody},
   * and path and query are the input. `multipart`: `multipart/form-data`, whose fields are a part of the input, as those of a form are, and whose
   * files the handler reads as `call.files`; fields come before files. Needs the package `@fastify/busboy`. All for HTTP-only routes of methods with a body: POST, PUT, PATCH, QUERY, and any other method than GET, HEAD,
   * DELETE and OPTIONS whose route says `body`. Default `parsed`.
   */
  readonly body?: Body
  /** A longer body is answered with `payload_too_large`. Default that of the app: 1 MiB. */
  readonly maxBodyBytes?: number
  /**
   * With `body: 'stream'` or `'multipart'`: the longest time in milliseconds that the client may send nothing while the handler waits for it; then the call
   * ends with `request_timeout`. 0: no limit. Default 30,000. The deadline of the call does not run while it waits, and begins anew with each
   * piece.
   */
  readonly bodyTimeoutMs?: [Body] extends ['parsed' | 'raw']
    ? CompileError<"bodyTimeoutMs is for body: 'stream' and 'multipart'">
    : number
  /** With `body: 'multipart'`: limits of fields and files. */
  readonly files?: [Body] extends ['parsed' | 'raw' | 'stream']
    ? CompileError<"files is for body: 'multipart'">
    : MultipartOptions
  /**
   * Compresses answers for clients that accept it. Not for answers that mix secrets with text from the request, whose length would then reveal the
   * secrets (BREACH). No effect in an app with `http: { compression: false }`. Default: where `access` is `public` and no step reads who is calling.
   */
  readonly compression?: boolean
}

export type HttpBinding = HttpRouteText | HttpOptions

type PathOf<Text> = Text extends `${string} ${infer Path}` ? Path : never

/** The call of a handler, with what it gets of the body. */
export type WithBody<C, Body> = [Body] extends ['stream']
  ? C & { readonly body: RequestBody }
  : [Body] extends ['multipart']
    ? C & {
        /** The files of the body, in their order, one by one: see {@link MultipartFile}. They can be iterated once. */
        readonly files: AsyncIterable<MultipartFile>
      }
    : C

/** Every `:parameter` of the path, and the name of its wildcard, has to be a key of the input. A path that is not a literal is checked at boot. */
type ValidHttp<Text, Input> = [Text] extends [never] ? unknown : HasKeys<PathParameters<PathOf<Text>>, Input>
export type HasKeys<Names extends string, Input> = string extends Names
  ? unknown
  : [Names] extends [KeysOf<Input>]
    ? unknown
    : CompileError<`the path has the parameter '${Exclude<Names, KeysOf<Input>> & string}', which is not a key of the input`>
type KeysOf<T> = T extends unknown ? keyof T : never

/** The schema of a route that declares none. */
export interface NoSchema extends Schema<undefined> {
  readonly '~none': true
}

/** What a caller gets. */
type Answer<R extends AnySchema, O> = [R] extends [NoSchema] ? (O extends Reply<infer T> ? T : O) : OutputOf<R>
/** With a schema it is a value: the handler must return it. */
type FormOf<R extends AnySchema, O> = [R] extends [NoSchema]
  ? 0 extends 1 & O
    ? 'value'
    : O extends StreamReply | EventsReply | FileReply
      ? 'stream'
      : 'value'
  : 'value'

interface CommonOptions<Codes extends string> {
  readonly summary?: string
  /** Shown in descriptions of the app: clients should use another route. Default false. */
  readonly deprecated?: boolean
  /** Default: `authenticated` when a plugin owns identity, else the app's `defaultAccess`. */
  readonly access?: Access
  /** Errors of `defineErrors` that it may answer with. A typed client knows their codes: `ErrorCodeOf`. */
  readonly errors?: readonly ErrorFactory<Codes>[]
  /** Milliseconds until the call is answered with `deadline_exceeded`; 0 for none. Default: the app's. */
  readonly deadlineMs?: number
  /** Calls of this route on one connection never overlap. Default false. */
  readonly ordered?: boolean
}

/**
 * What a handler returns. With a schema it must match that, and its literals stay literals; without one the type is inferred.
 * Not a distributive condition: a function that is generic in the schema can return `InputOf<R>`.
 */
export type HandlerResult<R extends AnySchema, O> = [R] extends [NoSchema]
  ? O
  : InputOf<R> | Reply<InputOf<R>> | PageHint<R>
/** Nothing has this type: the compiler shows it to a handler that returns something other than a page. */
type PageHint<R> = R extends PageSchema ? CompileError<'return page(items, meta)'> : never

type Execution<C, I, Result> =
  | { readonly handler: (input: I, call: C) => MaybePromise<Result>; readonly command?: never }
  | { readonly command: (call: C) => BaseCommand<I, Result>; readonly handler?: never }

/** Checks the steps of a base against the input of a route without `use`, which could not report an error. */
type ValidBase<Base extends Use, U extends Use, Input> = Base extends readonly []
  ? unknown
  : U extends readonly []
    ? ValidUse<[], Input, Base>
    : unknown

/** What `route` takes, and a `route` of a base with the steps `Base`. */
export type RouteOptions<
  Base extends Use,
  U extends Use,
  S extends AnySchema,
  R extends AnySchema,
  Text extends HttpRouteText,
  O,
  Mapped,
  Codes extends string = string,
  Body extends HttpBody = 'parsed',
> = CommonOptions<Codes> & {
  /** The second wire; left out: WebSocket only. */
  readonly http?: (Text | HttpOptions<Text, Mapped, Body>) & ValidHttp<Text, InputOf<S>>
  /** Guards first, then checks and interceptors: a check that is behind an interceptor runs inside of it. */
  readonly use?: U & ValidUse<U, OutputOf<S>, Base>
  /** Left out: the handler gets `undefined`, whatever was sent. */
  readonly input?: S
  /** What leaves is projected on it: keys it does not name stay inside. Left out: the result goes out as it is. */
  readonly output?: R
} & Execution<WithBody<CallOf<[...Base, ...U]>, Body>, OutputOf<S>, HandlerResult<R, O>> &
  ValidBase<Base, U, OutputOf<S>>

/** How the route of these options differs from wire to wire. */
type Form<R extends AnySchema, O, Mapped, Body> = [Body] extends ['stream' | 'multipart']
  ? 'stream'
  : [Mapped] extends [never]
    ? FormOf<R, O>
    : 'mapped'

/** What `route` returns for these options. */
export type RouteOf<
  S extends AnySchema,
  R extends AnySchema,
  O,
  Mapped,
  Codes extends string = string,
  Body extends HttpBody = 'parsed',
> = Route<InputOf<S>, Answer<R, O>, Form<R, O, Mapped, Body>, Codes>

/** `route`, and what `route.with` makes. */
export interface RouteFactory<Base extends Use> {
  <
    const U extends Use = [],
    S extends AnySchema = NoSchema,
    R extends AnySchema = NoSchema,
    const Text extends HttpRouteText = never,
    O = unknown,
    Mapped = never,
    Codes extends string = string,
    const Body extends HttpBody = 'parsed',
  >(
    definition: RouteOptions<Base, U, S, R, Text, O, Mapped, Codes, Body>,
    // Not `RouteOf`: an editor would show that name, with the schemas.
  ): Route<InputOf<S>, Answer<R, O>, Form<R, O, Mapped, Body>, Codes>

  /** A `route` whose routes all begin with these steps. */
  with<const U extends Use>(...steps: U & ValidUse<U, never, Base>): RouteFactory<[...Base, ...U]>
}
