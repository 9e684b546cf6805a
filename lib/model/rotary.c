#include <math.h>
#include <model/model.h>

/** The smooth interpolation of Llama 3.1: long wavelengths are stretched by `factor`, short ones kept. */
static double llama3(const hone_model_config *config, double frequency) {
    const double pi = 3.14159265358979323846;
    const double original = (double)config->rope_original_positions;
    const double wavelength = 2.0 * pi / frequency;
    const double low = config->rope_low_frequency, high = config->rope_high_frequency;

    if (wavelength > original / low)
        return frequency / config->rope_factor;
    if (wavelength < original / high)
        return frequency;
    const double smooth = (original / wavelength - low) / (high - low);
    return (1.0 - smooth) * frequency / config->rope_factor + smooth * frequency;
}

void hn_rotary_frequencies(const hone_model_config *config, double *frequency) {
    for (int64_t j = 0; j < config->head_dim / 2; j++) {
        double f = pow(config->rope_theta, -2.0 * (double)j / (double)config->head_dim);
        if (config->rope == HONE_ROPE_LINEAR)
            f /= config->rope_factor;
        else if (config->rope == HONE_ROPE_LLAMA3)
            f = llama3(config, f);
        frequency[j] = f;
    }
}
