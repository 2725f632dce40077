// SPDX-License-Identifier: Apache-2.0
// One frame, as neuro_control/dashboard/wire.py writes it.

const KINDS = {
  uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array,
  uint32: Uint32Array, int32: Int32Array, float32: Float32Array, float64: Float64Array,
};
const text = new TextDecoder();

/** {state, arrays: {name: {data, shape}}} of an ArrayBuffer. */
export function decodeFrame(buffer) {
  const head = new DataView(buffer);
  if (head.getUint32(0, false) !== 0x4e434431) throw new Error("not a frame of the dashboard");
  const length = head.getUint32(4, true);
  const state = JSON.parse(text.decode(new Uint8Array(buffer, 8, length)));
  const arrays = {};
  for (const [name, [kind, offset, shape]] of Object.entries(state.arrays)) {
    const count = shape.reduce((a, b) => a * b, 1);
    arrays[name] = { data: new KINDS[kind](buffer, 8 + length + offset, count), shape };
  }
  delete state.arrays;
  return { state, arrays };
}
