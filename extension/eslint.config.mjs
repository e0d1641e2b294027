import jupyter from '@jupyter/eslint-plugin';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['lib/', 'coverage/', 'node_modules/', '*.mjs', '*.cjs', 'style/*.js'] },
  {
    files: ['src/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked]
  },
  { plugins: { jupyter }, extends: [jupyter.configs.recommended] },
  {
    files: ['src/**/*.ts'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parserOptions: { project: './tsconfig.lint.json', tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Lumino's signals take a method and its `this` apart, which jupyter/prefer-signal-this-arg asks for.
      '@typescript-eslint/unbound-method': 'off'
    }
  },
  {
    // Some tens of kilobytes in all, and the first notebook wants them at once.
    files: ['src/plugins/*.ts'],
    rules: { 'jupyter/prefer-lazy-imports': 'off' }
  },
  { files: ['src/__tests__/*.ts'], rules: { 'jupyter/no-untranslated-string': 'off' } }
);
