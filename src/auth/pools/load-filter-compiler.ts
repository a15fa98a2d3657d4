import type { CompileFilter } from './filter.ts'

/**
 * Load the compiler of filters when the first one is met: what it is made of takes 5 MB. A load that failed,
 * such as for want of file descriptors, is tried again.
 */
export function createFilterCompilerLoader(): () => Promise<CompileFilter> {
  let compile: CompileFilter | undefined
  return async () => {
    const { createFilterCompiler } = await import('./filter.ts')
    return (compile ??= createFilterCompiler())
  }
}
