// Preloaded for headless GL: replaces the stub of `gl` in the project by the real package of this folder, and passes each context that
// gpu.js creates to `globalThis.onHeadlessContext`.
const Module = require("node:module");

const load = Module._load;
Module._load = function (request, ...rest) {
  if (request !== "gl") return load.call(this, request, ...rest);
  const createContext = require("./node_modules/gl");
  return (...settings) => {
    const context = createContext(...settings);
    globalThis.onHeadlessContext?.(context);
    return context;
  };
};
