import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "dist/",
      "dist-test/",
      "out/",
      ".vscode-test/",
      "node_modules/",
      "bench/results/",
      "**/*.generated.ts",
      "src/numerics/kernels/assembly/",
    ],
  },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/prefer-literal-enum-member": "off",
      // Indexed access is typed as always defined (numeric loops would drown in assertions otherwise), so this rule would
      // forbid the very checks that untrusted input needs.
      "@typescript-eslint/no-unnecessary-condition": "off",
      eqeqeq: "error",
      curly: ["error", "multi-line", "consistent"],
    },
  },
  {
    // The types of the browser are there for webview/; elsewhere its globals would be forgotten declarations.
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["close", "document", "event", "history", "length", "location", "name", "open", "origin", "parent", "print"],
        ...["screen", "self", "status", "stop", "top", "window"],
      ],
    },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        Buffer: "readonly",
        performance: "readonly",
      },
    },
  },
);
