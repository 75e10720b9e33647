/** A minute of one figure as a line. It says nothing that the number beside it does not. */
export function Sparkline({ values, width = 120, height = 28 }: { values: readonly number[]; width?: number; height?: number }) {
  const d = sparkPath(values, width, height);
  if (!d) return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} preserveAspectRatio="none" aria-hidden="true">
      <path class="line" d={d} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

const samples = 60;

/** Where the oldest value stands, so that the newest is always at the right. */
function firstX(n: number, width: number): number {
  return Math.round(((samples - n) / (samples - 1)) * width * 10) / 10;
}

/** The line through values; from zero, with a little air above the highest. Empty below two values. */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return '';
  const top = Math.max(...values) * 1.15 || 1;
  return values
    .map((v, i) => {
      const x = firstX(values.length - i, width);
      const y = height - 1 - (Math.max(0, v) / top) * (height - 2);
      return `${i === 0 ? 'M' : 'L'}${x} ${Math.round(y * 10) / 10}`;
    })
    .join('');
}
