// Biome formats and lints; eslint is here for the three rules that need types.
import tseslint from 'typescript-eslint'

export default tseslint.config(
  // The hosts of the package tests are projects of their own, type checked where they are installed.
  {
    ignores: [
      '**/node_modules/',
      '**/dist/',
      '**/coverage/',
      '**/.cache/',
      '**/.data/',
      'tests/package/hosts/',
      'examples/plugin-tenants/',
      'packages/plugin-openapi/pages/',
    ],
  },
  {
    files: ['packages/*/src/**/*.ts', 'examples/**/*.ts', 'tests/**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      // One program for all of it: the project service opens one for each package, which together exceed the heap of Node.
      parserOptions: {
        project: [
          'tsconfig.json',
          'packages/plugin-openapi/src/pages/tsconfig.json',
          'examples/tutorial/tsconfig.json',
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
    },
  },
)
