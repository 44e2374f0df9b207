import * as v from 'valibot'

// What all servers do: greet an author by name. One file, so that the validator is the same to the letter.

export const pkgId = 1

export const Input = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  page: v.pipe(v.number(), v.integer(), v.minValue(1)),
})

export const Output = v.object({ id: v.number(), name: v.string() })

export const getAuthor = ({ name, page }) => ({ id: page, name })

/** The parameters of the path `/authors/:id`. */
export const Path = v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(1)) })

export const findAuthor = ({ id }) => ({ id, name: 'Ursula K. Le Guin' })

export const maxBodyBytes = 1_048_576
