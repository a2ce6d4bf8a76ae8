// Modules that exist only while Vite builds the page.
declare module "virtual:written-content" {
  export const code: import("./build/written-content.ts").WrittenContent["code"];
  export const math: import("./build/written-content.ts").WrittenContent["math"];
}
declare module "*.css" {}
interface ImportMeta {
  readonly env: { readonly PROD: boolean };
}
