/** How far sound and picture are apart on the page, in a show that flashes and beeps together once a second. */
import type { Page } from '@playwright/test';

/** Beep minus flash of each second, in milliseconds of the screen's and the loudspeaker's clock. */
export async function measureSkew(page: Page, seconds: number): Promise<number[]> {
  return page.evaluate(async (seconds) => {
    const video = document.querySelector('video')!;
    const context = new AudioContext({ latencyHint: 'interactive' });
    await context.resume();
    const code = `registerProcessor('onset', class extends AudioWorkletProcessor {
      constructor() { super(); this.quiet = 0; }
      process([input]) {
        const samples = input[0];
        if (!samples) return true;
        for (let i = 0; i < samples.length; i++) {
          if (Math.abs(samples[i]) > 0.1) {
            if (this.quiet > sampleRate / 5) this.port.postMessage((currentFrame + i) / sampleRate);
            this.quiet = 0;
          } else this.quiet++;
        }
        return true;
      }
    });`;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
    const node = new AudioWorkletNode(context, 'onset');
    context.createMediaStreamSource(video.srcObject as MediaStream).connect(node);
    node.connect(context.destination);

    const beeps: number[] = [];
    const flashes: number[] = [];
    // The moment of a sample on the page's clock: the processing of it, for both sound and picture are measured
    // where the page gets them, before the devices.
    let offset = Infinity;
    const align = setInterval(() => {
      offset = Math.min(offset, performance.now() - context.currentTime * 1000);
    }, 5);
    node.port.onmessage = ({ data }) => beeps.push(data as number);

    const canvas = new OffscreenCanvas(1, 1);
    const pixel = canvas.getContext('2d', { willReadFrequently: true })!;
    let bright = true;
    const onFrame = (_now: number, metadata: VideoFrameCallbackMetadata) => {
      pixel.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
      const now = pixel.getImageData(0, 0, 1, 1).data[0]! > 128;
      if (now && !bright) flashes.push(metadata.presentationTime);
      bright = now;
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
    await new Promise((done) => setTimeout(done, seconds * 1000));
    clearInterval(align);
    await context.close();
    const heard = beeps.map((at) => at * 1000 + offset);
    return flashes.flatMap((flash) => {
      const near = heard.filter((beep) => Math.abs(beep - flash) < 500);
      return near.length > 0 ? [near[0]! - flash] : [];
    });
  }, seconds);
}
