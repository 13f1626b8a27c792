/* Round to float; volatile, because gcc 12 leaves a rounding out where it computes two numbers at a time. */
static inline double FW_single(double v) {
    volatile float rounded = (float)v;
    return rounded;
}

/* Add a to b exactly: *b becomes the rounding error (Knuth's TwoSum). */
static inline double FW_two_sum(double a, double *b) {
    double sum = a + *b, own = sum - a;
    *b = (a - (sum - own)) + (*b - own);
    return sum;
}

/* Return the sum of products in twice the precision, rounded once, as Python's math.sumprod adds (Ogita, Rump and Oishi). */
static inline double FW_dot(const double *a, const double *b, int n) {
    double high = 0.0, low = 0.0, tiny = 0.0, plain = 0.0;
    for (int i = 0; i < n; i++) {
        double product = a[i] * b[i], error = fma(a[i], b[i], -product);
        high = FW_two_sum(high, &product);
        low = FW_two_sum(low, &error);
        low = FW_two_sum(low, &product);
        tiny += error + product;
        plain += a[i] * b[i];
    }
    low = FW_two_sum(low, &tiny);
    high += low;
    return isfinite(high) ? high : plain;
}

/* Return the sum, rounded once. */
static inline double FW_sum(const double *a, int n) {
    double high = 0.0, low = 0.0, tiny = 0.0, plain = 0.0;
    for (int i = 0; i < n; i++) {
        double v = a[i];
        high = FW_two_sum(high, &v);
        low = FW_two_sum(low, &v);
        tiny += v;
        plain += a[i];
    }
    low = FW_two_sum(low, &tiny);
    high += low;
    return isfinite(high) ? high : plain;
}

/* Return the squared distance of two points. */
static inline double FW_square(const double *a, const double *b, int n) {
    double whole = 0.0;
    for (int i = 0; i < n; i++) whole += (a[i] - b[i]) * (a[i] - b[i]);
    return whole;
}

/* Return the largest number. */
static inline double FW_max(const double *a, int n) {
    double top = a[0];
    for (int i = 1; i < n; i++) top = a[i] > top ? a[i] : top;
    return top;
}

/* Return the place of the largest number, the first of equals, or of the first NaN. */
static inline int FW_argmax(const double *a, int n) {
    int best = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] != a[i]) return i;
        if (a[i] > a[best]) best = i;
    }
    return best;
}

/* Return the place of a number among n; n where it is none of them, n + 1 where it is NaN. */
static inline int FW_find_number(double v, const double *known, int n) {
    if (v != v) return n + 1;
    for (int i = 0; i < n; i++) if (known[i] == v) return i;
    return n;
}

/* Return the place of a text among n; n where it is none of them, n + 1 where it is missing. */
static inline int FW_find_text(const char *v, const char *const *known, int n) {
    if (v == NULL) return n + 1;
    for (int i = 0; i < n; i++) if (strcmp(known[i], v) == 0) return i;
    return n;
}

/* Write the shares of n numbers in their sum, or equal shares where it is zero. */
static inline void FW_shares(const double *a, double *y, int n) {
    double whole = FW_sum(a, n);
    for (int i = 0; i < n; i++) y[i] = whole != 0.0 ? a[i] / whole : 1.0 / n;
}

/* Return 2 to the power of j / 32. */
static inline double FW_step(int j) {
    static const double steps[32] = {
        0x1.0000000000000p+0, 0x1.059b0d3158574p+0, 0x1.0b5586cf9890fp+0, 0x1.11301d0125b51p+0,
        0x1.172b83c7d517bp+0, 0x1.1d4873168b9aap+0, 0x1.2387a6e756238p+0, 0x1.29e9df51fdee1p+0,
        0x1.306fe0a31b715p+0, 0x1.371a7373aa9cbp+0, 0x1.3dea64c123422p+0, 0x1.44e086061892dp+0,
        0x1.4bfdad5362a27p+0, 0x1.5342b569d4f82p+0, 0x1.5ab07dd485429p+0, 0x1.6247eb03a5585p+0,
        0x1.6a09e667f3bcdp+0, 0x1.71f75e8ec5f74p+0, 0x1.7a11473eb0187p+0, 0x1.82589994cce13p+0,
        0x1.8ace5422aa0dbp+0, 0x1.93737b0cdc5e5p+0, 0x1.9c49182a3f090p+0, 0x1.a5503b23e255dp+0,
        0x1.ae89f995ad3adp+0, 0x1.b7f76f2fb5e47p+0, 0x1.c199bdd85529cp+0, 0x1.cb720dcef9069p+0,
        0x1.d5818dcfba487p+0, 0x1.dfc97337b9b5fp+0, 0x1.ea4afa2a490dap+0, 0x1.f50765b6e4540p+0};
    return steps[j];
}

/* Return expf before its last rounding, as flyweight's ops.float32 computes it. */
static inline double FW_single_exp(double x) {
    if (!(-150.0 < x && x <= 0x1.62e42ep+6)) return x > 0.0 ? INFINITY : x < 0.0 ? 0.0 : NAN;
    double z = x * (1.4426950408889634 * 32.0), k = rint(z), r = z - k;
    double cubic = (0.05550361559341535 / 32768.0 * r + 0.2402284522445722 / 1024.0) * (r * r)
        + (0.6931471806916203 / 32.0 * r + 1.0);
    double quotient = floor(k / 32.0);
    return ldexp(cubic * FW_step((int)(k - 32.0 * quotient)), (int)quotient);
}

/* Return the share of a number among n quantiles, the mean of interpolating upwards and downwards; 0 or 1 near the ends. */
static inline double FW_rank(double v, const double *knots, const double *shares, int n, double near) {
    int i = 0, j = n - 1;
    if (v != v) return v;
    if (v - near < knots[0] || v <= knots[0]) return 0.0;
    if (v + near > knots[n - 1] || v >= knots[n - 1]) return 1.0;
    while (knots[i + 1] <= v) i++;
    while (knots[j - 1] >= v) j--;
    double up = shares[i], down = -shares[j];
    if (knots[i] != v) up = (shares[i + 1] - shares[i]) / (knots[i + 1] - knots[i]) * (v - knots[i]) + shares[i];
    if (knots[j] != v) down = (shares[j] - shares[j - 1]) / (knots[j] - knots[j - 1]) * (knots[j] - v) - shares[j];
    return 0.5 * (up - down);
}

/* Return the ratio of two polynomials, their highest powers first. */
static inline double FW_ratio(double x, const double *above, int n, const double *below, int m) {
    double y = above[0], z = below[0];
    for (int i = 1; i < n; i++) y = y * x + above[i];
    for (int i = 1; i < m; i++) z = z * x + below[i];
    return y / z;
}

/* Return the number below which a share of a standard normal distribution lies, as flyweight's ops.quantiles computes it. */
static inline double FW_normal(double share) {
    static const double middle[5] = {
        -0x1.dfb4f0e5e142dp+5, 0x1.880119ea1edd9p+6, -0x1.c56908806dbbap+5, 0x1.bdcce3bd7c1fdp+3, -0x1.3d39f8ef6ca7ep+0};
    static const double under_middle[9] = {
        0x1.0000000000000p+0, 0x1.f4595d22074f9p+0, 0x1.2b4828417e5b6p+2, 0x1.5970e350b81d4p+6, -0x1.c2ece56c2365fp+7,
        0x1.90853a8e9cbffp+7, -0x1.48261e78db7d9p+6, 0x1.fcfadc1047563p+3, -0x1.2eedcfabfcdd5p+0};
    static const double tail[9] = {
        0x1.038c79a3c8edbp+2, 0x1.f866d92d57982p+4, 0x1.c94d742a67fbfp+5, 0x1.60a4e10ee1ba9p+5, 0x1.d5eb293ff463ep+3,
        0x1.17e397a6cbfa1p+1, -0x1.1f3e9448d9677p-3, -0x1.1f115ee6341c7p-5, -0x1.c18de6ccbe78fp-11};
    static const double under_tail[9] = {
        0x1.0000000000000p+0, 0x1.f8f5aa13bd41bp+3, 0x1.6b20489ee296fp+5, 0x1.4a89a228c461cp+5, 0x1.e15c79d87d845p+3,
        0x1.40985a83cba20p+1, -0x1.2330ccddb0232p-3, -0x1.37f4e456db31dp-5, -0x1.e94bf797d061ep-11};
    static const double far[9] = {
        0x1.9e6e8e793d574p+1, 0x1.ba931c327780bp+2, 0x1.f82aef32bb0acp+1, 0x1.5541c18e79a0cp+0, 0x1.9ca45f35e2651p-3,
        0x1.956509069354dp-7, 0x1.3c3b2e8ce1812p-12, 0x1.64c294c0c2234p-19, 0x1.accac30588ff9p-28};
    static const double under_far[9] = {
        0x1.0000000000000p+0, 0x1.818da568be828p+2, 0x1.d704daad23816p+1, 0x1.608472aaf6200p+0, 0x1.bada75fd63c9bp-3,
        0x1.b7c27adb6c78bp-7, 0x1.57f2b65ff2903p-12, 0x1.8438cf3f6ccf7p-19, 0x1.d29e5b8766b3dp-28};
    const double end = 0x1.152aaa3bf81ccp-3;
    if (!(share > 0.0 && share < 1.0)) return share == 0.0 ? -INFINITY : share == 1.0 ? INFINITY : NAN;
    int upper = share > 1.0 - end;
    double y = upper ? 1.0 - share : share;
    if (y > end) {
        y -= 0.5;
        double square = y * y;
        return (y + y * (square * FW_ratio(square, middle, 5, under_middle, 9))) * 0x1.40d931ff62706p+1;
    }
    double x = sqrt(-2.0 * log(y)), z = 1.0 / x;
    double ratio = x < 8.0 ? FW_ratio(z, tail, 9, under_tail, 9) : FW_ratio(z, far, 9, under_far, 9);
    double number = x - log(x) / x - z * ratio;
    return upper ? number : -number;
}
