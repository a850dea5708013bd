/**
 * e^x, logarithms and their relatives, on four floats or one double. No tables: a module must hold no static data.
 * The polynomials minimise the largest relative error (Lawson's iteration).
 */

/**
 * e^x: 2^n · p(r) with n = round(x / ln 2), r = x − n·ln 2 in two steps (Cody and Waite 1980), p of degree 5.
 * Relative error below 2.5e-7 on [−87.3, 88.3] and exact at 0; below −87.3 it is 0 (−∞ too), above 88.8 it is +∞; NaN stays NaN.
 * n is read from the low bits of x / ln 2 + 1.5·2^23, and the last step is a product, which lets a NaN through.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const shifted = f32x4.pmin(f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(12582912)), f32x4.splat(12583039));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  const r = f32x4.sub(
    f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))),
    f32x4.mul(n, f32x4.splat(-2.12194440e-4)),
  );
  // Estrin's scheme: loops over tiles are bound by the length of this chain, not by its operations.
  const square = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.mul(r, f32x4.splat(0.166671144901)), f32x4.splat(0.499992317157));
  const high = f32x4.add(f32x4.mul(r, f32x4.splat(0.00831252548853)), f32x4.splat(0.0418901234443));
  const tail = f32x4.add(f32x4.mul(square, high), low);
  const p = f32x4.add(f32x4.mul(square, tail), f32x4.add(r, f32x4.splat(1)));
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-87.3)));
}

/**
 * 2^x for x that is not above 127: 2^n · p(x − n), p of degree 5. Relative error below 2.5e-7 on [−126, 127] and exact at 0; below −126 it
 * is 0 (−∞ too); NaN stays NaN. The reduction is exact, so that it costs less than that of `exp4`.
 */
// @ts-ignore: decorator
@inline
export function exp2Below4(x: v128): v128 {
  const shifted = f32x4.add(x, f32x4.splat(12582912));
  const r = f32x4.sub(x, f32x4.sub(shifted, f32x4.splat(12582912)));
  const square = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.mul(r, f32x4.splat(0.05550733581185341)), f32x4.splat(0.24022242426872253));
  const high = f32x4.add(f32x4.mul(r, f32x4.splat(0.001326472731307149)), f32x4.splat(0.009671512991189957));
  const tail = f32x4.add(f32x4.mul(square, high), low);
  const p = f32x4.add(f32x4.mul(square, tail), f32x4.add(f32x4.mul(r, f32x4.splat(0.6931470036506653)), f32x4.splat(1)));
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-126)));
}

/** log(1 + x) for x in [0, 1], relative error below 3e-7: 2·atanh(s), s = x / (2 + x). */
// @ts-ignore: decorator
@inline
export function log1pUnit4(x: v128): v128 {
  const s = f32x4.div(x, f32x4.add(x, f32x4.splat(2)));
  const t = f32x4.mul(s, s);
  let q = f32x4.add(f32x4.mul(t, f32x4.splat(0.28011994662)), f32x4.splat(0.280018032602));
  q = f32x4.add(f32x4.mul(t, q), f32x4.splat(0.400215274033));
  q = f32x4.add(f32x4.mul(t, q), f32x4.splat(0.666664162815));
  const twice = f32x4.add(s, s);
  return f32x4.add(twice, f32x4.mul(f32x4.mul(s, t), q));
}

/**
 * log(x) for normal x > 0, error below 3e-7 of the greater of |log x| and 1: x = 2^n·m with m in [√½, √2), log m = 2·atanh((m − 1)/(m + 1)).
 */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const bits = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const n = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const one = f32x4.splat(1);
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const t = f32x4.mul(s, s);
  let q = f32x4.add(f32x4.mul(t, f32x4.splat(0.2857142857)), f32x4.splat(0.4));
  q = f32x4.add(f32x4.mul(t, q), f32x4.splat(0.6666666667));
  const twice = f32x4.add(s, s);
  const ofM = f32x4.add(twice, f32x4.mul(f32x4.mul(s, t), q));
  // ln 2 in two parts, so that the product with n is exact.
  const low = f32x4.add(ofM, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  return f32x4.add(low, f32x4.mul(n, f32x4.splat(0.693359375)));
}

/** log(1 + e^x) from x and e^−|x|: max(x, 0) + log(1 + e^−|x|). Relative error below 1e-6. */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128, expMinusAbs: v128): v128 {
  // pmax(x, 0) is x where x is NaN.
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log1pUnit4(expMinusAbs));
}

/** 1 / (1 + e^−x) from x and e^−|x|, without cancellation on either side. Relative error below 6e-7. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128, expMinusAbs: v128): v128 {
  const one = f32x4.splat(1);
  const numerator = v128.bitselect(expMinusAbs, one, f32x4.lt(x, f32x4.splat(0)));
  return f32x4.div(numerator, f32x4.add(one, expMinusAbs));
}

/** e^−|x| */
// @ts-ignore: decorator
@inline
export function expMinusAbs4(x: v128): v128 {
  return exp4(f32x4.neg(f32x4.abs(x)));
}

/**
 * tanh(x), relative error below 1e-6. Below 0.625 an odd polynomial (Moshier, Cephes), else 1 − 2 / (e^2|x| + 1) with the sign of x.
 */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(t, f32x4.splat(-5.70498872745e-3)), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(t, p), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(t, p), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(t, p), f32x4.splat(-3.33332819422e-1));
  const near = f32x4.add(x, f32x4.mul(f32x4.mul(x, t), p));
  const power = exp4(f32x4.add(size, size));
  const one = f32x4.splat(1);
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(power, one)));
  const signed = v128.or(far, v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

/** e^x in double precision, relative error below 1e-15; 0 below −708, +∞ above 709. */
export function expDouble(x: f64): f64 {
  if (x < -708) return 0;
  if (x > 709) return Infinity;
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  // Taylor's series, the first term left out being r^14 / 14! < 5e-18, by Estrin's scheme: nobody waits for one term after the other.
  const r2 = r * r;
  const r4 = r2 * r2;
  const low = (1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
  const middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0));
  const high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
  const p = 1 + (r + r2 * (low + r4 * (middle + r4 * high)));
  return p * reinterpret<f64>((<i64>n + 1023) << 52);
}

/**
 * e^x for x in [0, 21.8]: `portableExp` of @logq/core term by term, in its order, so that its bits, which decide what is drawn, are the same.
 */
export function portableExp(x: f64): f64 {
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  let p: f64 = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  return p * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** Natural logarithm in double precision, relative error below 1e-15; −∞ at 0, NaN below. */
export function logDouble(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return Infinity;
  let value = x;
  let exponent: i64 = 0;
  if (value < 2.2250738585072014e-308) {
    value *= 18014398509481984;
    exponent = -54;
  }
  // value = 2^exponent · m with m in [√½, √2)
  const bits = reinterpret<u64>(value) + 0x00095f619980c433;
  exponent += <i64>(bits >> 52) - 1023;
  const m = reinterpret<f64>((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd);
  const s = (m - 1) / (m + 1);
  const t = s * s;
  // 2·atanh(s) = 2s·Σ t^k / (2k + 1); t < 0.0295
  const t2 = t * t;
  const t4 = t2 * t2;
  const low = (1.0 / 3.0 + t * (1.0 / 5.0)) + t2 * (1.0 / 7.0 + t * (1.0 / 9.0));
  const middle = (1.0 / 11.0 + t * (1.0 / 13.0)) + t2 * (1.0 / 15.0 + t * (1.0 / 17.0));
  const q = low + t4 * (middle + t4 * (1.0 / 19.0 + t * (1.0 / 21.0)));
  const n = <f64>exponent;
  return n * 0.6931471803691238 + (2 * s + (2 * s * t * q + n * 1.9082149292705877e-10));
}
