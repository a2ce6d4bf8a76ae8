// The service worker. It adds the two headers that isolate the page, which allows threads on web servers that cannot send them, and
// stores all files, so that the page works offline. The page installs it only when the visitor presses a button.
/** @type {{ version: string, files: string[] } | null} */
const build = /* BUILD */ null;
const store = `trm-explorer-${build ? build.version : "none"}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(store)
      // The names of some files do not change with their content, so the HTTP cache may hold an earlier version.
      .then((cache) => cache.addAll((build ? build.files : []).map((file) => new Request(file, { cache: "reload" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const removeOld = async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith("trm-explorer-") && name !== store);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(removeOld());
});

/** @param {Response} response */
function isolated(response) {
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  const answer = async () => {
    const cache = await caches.open(store);
    const stored = await cache.match(request, { ignoreSearch: true });
    return isolated(stored || (await fetch(request)));
  };
  event.respondWith(answer());
});
