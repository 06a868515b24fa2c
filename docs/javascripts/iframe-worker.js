// The search of the theme runs in a worker, and browsers refuse workers to pages that were opened
// from a folder (file://). There, the worker's script runs in a hidden frame instead; pages that
// come from a server are left alone.
(() => {
  if (location.protocol !== 'file:') return;

  class FrameWorker extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement('iframe');
      this.frame.hidden = true;
      document.body.appendChild(this.frame);
      const inside = this.frame.contentWindow;
      inside.document.open();
      inside.document.write('<!doctype html><html><body></body></html>');
      inside.document.close();
      // What a worker's script expects to find: a way to answer, and a way to load other scripts.
      inside.postMessage = (data) => {
        const event = new MessageEvent('message', { data });
        this.dispatchEvent(event);
        if (this.onmessage) this.onmessage(event);
      };
      const load = (src) =>
        new Promise((done, failed) => {
          const script = inside.document.createElement('script');
          script.onload = done;
          script.onerror = () => failed(new Error(`cannot load ${src}`));
          script.src = src;
          inside.document.body.appendChild(script);
        });
      inside.importScripts = (...sources) =>
        sources.reduce((before, src) => before.then(() => load(src)), Promise.resolve());
      this.ready = load(`${url}`);
    }

    postMessage(data) {
      this.ready.then(() => {
        const inside = this.frame.contentWindow;
        inside.dispatchEvent(new MessageEvent('message', { data: structuredClone(data) }));
      });
    }

    terminate() {
      this.frame.remove();
    }
  }

  window.IFrameWorker = FrameWorker; // the worker's script looks for this name in its parent
  window.Worker = FrameWorker;
})();
