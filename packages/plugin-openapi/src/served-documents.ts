/** What is made when the app starts, and kept. */
export interface ServedText {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** By path, in the order in which they are listed. */
export type ServedDocuments = Map<string, ServedText>
