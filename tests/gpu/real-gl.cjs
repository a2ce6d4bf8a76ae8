// Preloaded where headless GL runs: gpu.js of the project finds the real `gl` of this folder instead of the stub beside it, and
// the contexts that it makes are handed to `globalThis.onHeadlessContext`.
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
