import { describe, expectTypeOf, test } from 'vitest'
import type { MaybePromise } from '../base/maybe-promise.ts'
import { BaseCommand } from './command.ts'

interface Input {
  name: string
}
class Now extends BaseCommand<Input, number> {
  execute({ name }: Input): number {
    return name.length
  }
}
class Later extends BaseCommand<Input, number> {
  async execute({ name }: Input): Promise<number> {
    return name.length
  }
}

describe('BaseCommand', () => {
  test('answers now or later, and says which', () => {
    expectTypeOf(new Now().execute({ name: '' })).toEqualTypeOf<number>()
    expectTypeOf(new Later().execute({ name: '' })).toEqualTypeOf<Promise<number>>()
    const either: BaseCommand<Input, number> = new Now()
    expectTypeOf(either.execute).returns.toEqualTypeOf<MaybePromise<number>>()
  })

  test('fits where less is asked of it', () => {
    expectTypeOf<Now>().toExtend<BaseCommand<Input & { age: number }, number | string>>()
    expectTypeOf<Later>().not.toExtend<BaseCommand<Record<never, never>, number>>()
    expectTypeOf<Later>().not.toExtend<BaseCommand<Input, string>>()
  })

  test('executes what it says', () => {
    class Wrong extends BaseCommand<Input, number> {
      // @ts-expect-error a string is not a number
      execute(): string {
        return ''
      }
    }
    class Greedy extends BaseCommand<Input, number> {
      // @ts-expect-error it is given no age
      execute({ age }: { age: number }): number {
        return age
      }
    }
    void [Wrong, Greedy]
    // @ts-expect-error nothing to execute
    ;new (class extends BaseCommand<Input, number> {})()
  })
})
