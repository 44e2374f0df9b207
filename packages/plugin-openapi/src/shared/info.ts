/** What a document says of the app, as `info` of both specifications. */
export interface ApiInfo {
  /** Default `API`. */
  readonly title?: string | undefined
  /** Of the API. Default `0.0.0`. */
  readonly version?: string | undefined
  /** Markdown. */
  readonly description?: string | undefined
}

/** An address of the app: `https://api.example.com`. */
export interface ApiServer {
  readonly url: string
  readonly description?: string | undefined
}

/** Options with their defaults. */
export interface DocumentInfo {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string | undefined }
  readonly servers: readonly ApiServer[]
}
