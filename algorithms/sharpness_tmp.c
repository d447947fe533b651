#include <nfsar/metrics.h>
double nfsar_slice_sharpness(const float complex *data, size_t nx, size_t ny) { double s2=0,s4=0; for(size_t i=0;i<nx*ny;i++){double p=(double)(crealf(data[i])*crealf(data[i])+cimagf(data[i])*cimagf(data[i])); s2+=p; s4+=p*p;} return s2>0?s4/(s2*s2):0; }
