// Only the pure files are tested here, so nothing of JupyterLab is transformed: the run takes seconds. What needs a
// browser is tested from Python, in tests/lab.
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/__tests__/*.spec.ts'],
  transform: {
    '\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          resolveJsonModule: true,
          isolatedModules: true,
          module: 'commonjs',
          moduleResolution: 'node',
          target: 'ES2022'
        }
      }
    ]
  }
};
